"""What the gateway costs, compared with nginx: ``make bench`` runs `bench.run`."""
