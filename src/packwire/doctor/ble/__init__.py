"""Why a pack gives no data over Bluetooth: the adapter, the air, the connection, its answers."""
