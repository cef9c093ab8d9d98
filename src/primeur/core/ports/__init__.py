"""Every socket that something outside is plugged into: clock, dice, relay, limiter, journal, engine, provider."""

from primeur.core.ports.keeping import Journal, KeyService, MasterKey
from primeur.core.ports.limiting import Family, Hold, Lane, Limiter, Reservation, Standing
from primeur.core.ports.machine import Clock, Entropy
from primeur.core.ports.serving import (
    Engine,
    EngineHost,
    EngineOrder,
    EngineState,
    Launch,
    Provider,
    ProviderFace,
    ProviderOrder,
    Settings,
)
from primeur.core.ports.traffic import Errands, Fetched, Line, Mailer, Post, Relay, Reply, Sink

__all__ = [
    "Clock",
    "Engine",
    "EngineHost",
    "EngineOrder",
    "EngineState",
    "Entropy",
    "Errands",
    "Family",
    "Fetched",
    "Hold",
    "Journal",
    "KeyService",
    "Lane",
    "Launch",
    "Limiter",
    "Line",
    "Mailer",
    "MasterKey",
    "Post",
    "Provider",
    "ProviderFace",
    "ProviderOrder",
    "Relay",
    "Reply",
    "Reservation",
    "Settings",
    "Sink",
    "Standing",
]
