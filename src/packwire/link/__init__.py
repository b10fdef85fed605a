"""Live bytes to and from a device: TCP, a VESC hub, a serial port. One small interface, see `base.Link`."""
