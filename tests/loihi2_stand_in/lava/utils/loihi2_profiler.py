"""Its presence is what lava.utils.loihi.is_installed looks for."""
