"""From a mesh with grains to fields: coupled lithium diffusion, finite-strain swelling and interfaces."""
