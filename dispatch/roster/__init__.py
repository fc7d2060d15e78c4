"""Who is where and may be asked, in this node's memory. Knows no database."""
