"""Plans, subscriptions, credits, invoices, alerts and forecasts as values; pure."""
