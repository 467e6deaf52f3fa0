"""The .net files of lava-dl."""
