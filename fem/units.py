"""Constants of the internal unit system: µm, s, MPa, fmol, pC, V, K (design section 2).

It is consistent: energy pJ, energy per area MPa·µm = J/m², chemical potential pJ/fmol = kJ/mol,
concentration fmol/µm³ = kmol/m³, current density pA/µm² = A/m², diffusivity 1 m²/s = 1e12 µm²/s.
"""

FARADAY = 96.48533212  # pC/fmol (CODATA 2018: 96485.33212 C/mol)
GAS_CONSTANT = 8.31446261815324e-3  # pJ/(fmol K) (CODATA 2018: 8.314 J/(mol K))
ZERO_CELSIUS = 273.15  # K
MAH_PER_PC = 1.0 / 3.6e12  # mAh in one pC
CM2_PER_UM2 = 1.0e-8  # cm² in one µm²
