"""What every Polyshop service is made of. It knows no service."""
