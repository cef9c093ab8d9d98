"""HTTP out: pooled connections to engines and providers."""
