"""The launchers that ship with bench: processes of this machine, Ray, Slurm. Each is offered through the hook."""
