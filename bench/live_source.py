"""A feed that never rests: 1,000 ticks a second over 50 instruments, gathered and published as the real feed does."""

import asyncio
import random
import time

import django

TICKS_PER_SECOND = 1_000
BATCHES_PER_SECOND = 10
INSTRUMENTS = tuple(f"binance:BENCH{number}/USDT" for number in range(50))


async def _publish_for_ever() -> None:
    from apps.markets.actions import publish_prices  # after Django is ready
    from apps.markets.domain.prices import Price

    due = time.monotonic()
    while True:
        ticks = random.choices(INSTRUMENTS, k=TICKS_PER_SECOND // BATCHES_PER_SECOND)
        ts = int(time.time() * 1000)
        prices = [Price(name, f"{random.uniform(1, 70_000):.2f}", "0.0123", "12345.6", ts, "binance") for name in ticks]
        await publish_prices(prices=list({price.instrument: price for price in prices}.values()))
        due += 1 / BATCHES_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    django.setup()
    print("ready", flush=True)
    asyncio.run(_publish_for_ever())
