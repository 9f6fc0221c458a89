"""Materials: what they are made of, their open-circuit curves, their constitutive update, and the ones that ship."""
