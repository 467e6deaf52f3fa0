"""What stands beside the network and runs on the host, with a chip and without one."""
