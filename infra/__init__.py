"""How the platform is deployed, and what stands in for the cloud on one machine (infra/local)."""
