"""A recording as a device: what was asked in it is answered as it was, in its order and at its pace.

For Bluetooth it is a back end of bleak's, so that whoever reads a live pack reads the recording unchanged;
for everything else it is a link.
"""
