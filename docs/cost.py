#!/usr/bin/env python3
"""Reckons what Ringvault costs on AWS a month, and prints the tables of docs/COST.md.

    docs/cost.py            prints them
    docs/cost.py --check    fails if docs/COST.md does not have them, line by line

Change PRICES to your region's and ASSUMED to your calls.
"""

import sys
from pathlib import Path

# US dollars, us-east-1, list prices without free tier and taxes, as remembered in 2026: check them.
PRICES = {
    "lambda, arm64, a GB-second": 0.0000133334,
    "lambda, a request": 0.20 / 1e6,
    "scheduler, a start": 1.00 / 1e6,
    "dynamodb on demand, a write unit": 0.625 / 1e6,
    "dynamodb on demand, a read unit": 0.125 / 1e6,
    "dynamodb, a GB-month": 0.25,
    "dynamodb point-in-time recovery, a GB-month": 0.20,
    "s3 standard, a GB-month": 0.023,
    "s3 glacier instant retrieval, a GB-month": 0.004,
    "s3 standard, a PUT or LIST": 0.005 / 1e3,
    "s3 glacier instant retrieval, a PUT": 0.02 / 1e3,
    "s3 standard, a GET or HEAD": 0.0004 / 1e3,
    "s3 glacier instant retrieval, a GB read": 0.03,
    "secrets manager, a secret": 0.40,
    "secrets manager, a request": 0.05 / 1e4,
    "cloudwatch, a metric": 0.30,
    "cloudwatch, an alarm": 0.10,
    "cloudwatch, a dashboard": 3.00,
    "cloudwatch logs, a GB taken in": 0.50,
    "kms, a key": 1.00,
    "api gateway http api, a request": 1.00 / 1e6,
}

ASSUMED = {
    "minutes a recording": 5,
    "MB a minute (MP3, 64 kbit/s)": 0.5,
    "deliveries for each recorded call": 20,  # all events of the account, unrecorded calls' too
    "write units for each recording": 35,
    "KB a row, its index entry included": 3,
    "days rows are kept": 400,
    "webhook: seconds a delivery": 0.05,
    "archiver: seconds a run without work": 0.3,
    "archiver: seconds a recording": 3,
    "reconciler: seconds a run": 3,
    "reconciler: seconds an hour and 1,000 calls a day": 60,
    "recorded calls in all calls": 0.5,
    "KB of log a run or delivery": 1.5,
    "KB a manifest and its earlier version": 4,
}

WEBHOOK_GB, ARCHIVER_GB, RECONCILER_GB = 0.25, 0.25, 0.5
METRICS, ALARMS, DASHBOARDS, SECRETS = 15, 10, 1, 2
DAYS, MONTHS = 30, 84
MINUTES = DAYS * 24 * 60
VOLUMES = [1_000, 10_000, 50_000]


def gigabytes(recordings):
    """What a month's recordings weigh."""
    return recordings * ASSUMED["minutes a recording"] * ASSUMED["MB a minute (MP3, 64 kbit/s)"] / 1000


def running(recordings):
    """Dollars a month for all but the audio's storage, by service."""
    p, a = PRICES, ASSUMED
    deliveries = recordings * a["deliveries for each recorded call"]
    archiver_runs, reconciler_runs = MINUTES, MINUTES / 15
    calls_a_day = recordings / a["recorded calls in all calls"] / DAYS
    webhook_s = deliveries * a["webhook: seconds a delivery"]
    archiver_s = archiver_runs * a["archiver: seconds a run without work"] + recordings * a["archiver: seconds a recording"]
    reconciler_s = reconciler_runs * a["reconciler: seconds a run"]
    reconciler_s += DAYS * 24 * calls_a_day / 1000 * a["reconciler: seconds an hour and 1,000 calls a day"]
    gb_seconds = webhook_s * WEBHOOK_GB + archiver_s * ARCHIVER_GB + reconciler_s * RECONCILER_GB
    starts = deliveries + archiver_runs + reconciler_runs
    rows_gb = recordings * a["days rows are kept"] / DAYS * a["KB a row, its index entry included"] / 1e6
    writes = recordings * a["write units for each recording"] + archiver_runs * 2 + reconciler_runs * 6
    reads = archiver_runs * 3 + reconciler_runs * 10 + recordings * 40
    manifests_gb = recordings * MONTHS * a["KB a manifest and its earlier version"] / 1e6
    return {
        "Lambda and Scheduler": gb_seconds * p["lambda, arm64, a GB-second"]
        + starts * p["lambda, a request"]
        + (archiver_runs + reconciler_runs) * p["scheduler, a start"],
        "DynamoDB": writes * p["dynamodb on demand, a write unit"]
        + reads * p["dynamodb on demand, a read unit"]
        + rows_gb * (p["dynamodb, a GB-month"] + p["dynamodb point-in-time recovery, a GB-month"]),
        "S3 requests": recordings * p["s3 glacier instant retrieval, a PUT"]
        + (recordings * 2 + DAYS * 24 * 10) * p["s3 standard, a PUT or LIST"]
        + recordings * 10 * p["s3 standard, a GET or HEAD"],
        "Manifests, after seven years": manifests_gb * p["s3 standard, a GB-month"],
        "Secrets Manager": SECRETS * p["secrets manager, a secret"] + MINUTES / 5 * 4 * p["secrets manager, a request"],
        "CloudWatch metrics, alarms, dashboard": METRICS * p["cloudwatch, a metric"]
        + ALARMS * p["cloudwatch, an alarm"]
        + DASHBOARDS * p["cloudwatch, a dashboard"],
        "CloudWatch logs": starts * a["KB of log a run or delivery"] / 1e6 * p["cloudwatch logs, a GB taken in"],
    }


def storage(recordings, months, glacier):
    """Dollars a month for the audio that has come together after so many months."""
    price = "s3 glacier instant retrieval, a GB-month" if glacier else "s3 standard, a GB-month"
    return gigabytes(recordings) * months * PRICES[price]


def seven_years(glacier):
    """Dollars for one recording, from its PUT to its end."""
    price = "s3 glacier instant retrieval, " if glacier else "s3 standard, "
    put = PRICES["s3 glacier instant retrieval, a PUT"] if glacier else PRICES["s3 standard, a PUT or LIST"]
    return gigabytes(1) * MONTHS * PRICES[price + "a GB-month"] + put


def tables():
    yield "| a month, at so many recordings a month | " + " | ".join(f"{it:,}" for it in VOLUMES) + " |"
    yield "|---|" + "---:|" * len(VOLUMES)
    columns = [running(it) for it in VOLUMES]
    for name in columns[0]:
        yield f"| {name} | " + " | ".join(f"${it[name]:,.2f}" for it in columns) + " |"
    totals = [sum(it.values()) for it in columns]
    yield "| **Running, all together** | " + " | ".join(f"**${it:,.2f}**" for it in totals) + " |"
    for months in [12, MONTHS]:
        for glacier in [True, False]:
            name = "Glacier Instant Retrieval" if glacier else "Standard"
            cells = (f"${storage(it, months, glacier):,.2f}" for it in VOLUMES)
            yield f"| Audio of {months} months, {name} | " + " | ".join(cells) + " |"
    yield ""
    yield "| one recording, seven years | |"
    yield "|---|---:|"
    for glacier in [True, False]:
        yield f"| {'Glacier Instant Retrieval' if glacier else 'Standard'} | ${seven_years(glacier):.5f} |"
    yield f"| share | {seven_years(True) / seven_years(False):.0%} |"
    yield ""
    yield "| price | US$ |"
    yield "|---|---:|"
    for name, price in PRICES.items():
        yield f"| {name} | {f'{price:.10f}'.rstrip('0') if price < 0.001 else f'{price:g}'} |"
    yield ""
    yield "| assumed | |"
    yield "|---|---:|"
    yield from (f"| {name} | {value:g} |" for name, value in ASSUMED.items())


def main():
    if sys.argv[1:] != ["--check"]:
        return print("\n".join(tables()))
    page = Path(__file__).with_name("COST.md").read_text().splitlines()
    missing = [line for line in tables() if line not in page]
    if missing:
        sys.exit("docs/COST.md does not have:\n" + "\n".join(missing))


if __name__ == "__main__":
    main()
