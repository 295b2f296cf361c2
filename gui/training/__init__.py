"""The training window: what runs of training come to, drawn while they go on; starting and stopping them."""
