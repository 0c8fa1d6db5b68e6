"""The command of the simulator."""
