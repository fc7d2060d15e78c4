"""How nodes know of each other: their lives, their hints and news, and who has whose sockets."""
