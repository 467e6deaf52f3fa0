"""A package, so that ``tests.nets`` is this folder's and not the ``tests`` that lava-nc installs."""
