"""What people see: contract messages -> rich renderables. Pure; nothing here talks to a server."""
