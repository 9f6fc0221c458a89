"""The columns of steps.csv and cycles.csv, with their units ("" for text); what a block lacks stays empty."""

STEP_COLUMNS = {
    "number": "1", "place": "", "again": "", "cycle": "1", "kind": "", "text": "", "end_reason": "",
    "start_time_s": "s", "end_time_s": "s", "charge_mAh_cm2": "mAh/cm^2", "capacity_mAh_cm2": "mAh/cm^2",
    "capacity_mAh_g": "mAh/g", "voltage_start_V": "V", "voltage_end_V": "V", "pressure_start_MPa": "MPa",
    "pressure_end_MPa": "MPa", "temperature_start_K": "K", "temperature_end_K": "K", "mean_lithiation_start": "1",
    "mean_lithiation_end": "1", "thickness_start_um": "um", "thickness_end_um": "um",
    "thickening_parts_um.solids": "um", "thickening_parts_um.interface_void": "um", "thickening_parts_um.pores": "um",
    "thickening_parts_um.lithium_removed": "um", "lithium_book_mAh_cm2.trapped.total": "mAh/cm^2",
    "lithium_book_mAh_cm2.error": "1", "newton_iterations": "1", "time_steps": "1",
}  # fmt: skip
CYCLE_COLUMNS = {
    "cycle": "1", "start_time_s": "s", "end_time_s": "s", "lithiation_mAh_cm2": "mAh/cm^2",
    "delithiation_mAh_cm2": "mAh/cm^2", "lithiation_mAh_g": "mAh/g", "delithiation_mAh_g": "mAh/g",
    "coulombic_efficiency": "1", "highest_mean_lithiation": "1", "last_mean_lithiation": "1",
    "thickness_lithiated_um": "um", "parts_lithiated_um.solids": "um", "parts_lithiated_um.interface_void": "um",
    "parts_lithiated_um.pores": "um", "parts_lithiated_um.lithium_removed": "um",
    "thickness_lithiated_unloaded_um": "um",
    "thickness_delithiated_um": "um", "parts_delithiated_um.solids": "um", "parts_delithiated_um.interface_void": "um",
    "parts_delithiated_um.pores": "um", "parts_delithiated_um.lithium_removed": "um",
    "thickness_delithiated_unloaded_um": "um", "thickness_end_um": "um", "trapped_end_mAh_cm2": "mAh/cm^2",
    "state_end.damaged_fraction": "1", "state_end.debonded_fraction": "1", "state_end.crack_probability": "1",
    "state_end.side_products_mAh_cm2": "mAh/cm^2", "state_end.oxide_mAh_cm2": "mAh/cm^2", "adhesion_J_m2": "J/m^2",
    "jumped_before": "1", "jump_estimated_error": "1",
    "newton_iterations": "1", "time_steps": "1",
}  # fmt: skip
JUMP_COLUMNS = {
    "first_cycle": "1", "last_cycle": "1", "cycles": "1", "decided_by": "", "outcome": "", "reason": "",
    "estimated_error": "1", "worst": "", "charge_mAh_cm2": "mAh/cm^2", "newton_iterations_of_check": "1",
}  # fmt: skip
