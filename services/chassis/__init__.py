"""What every service is bolted onto: servers, channels, errors on the wire, deadlines, stores, telemetry.

The chassis knows no domain and imports no service.
"""
