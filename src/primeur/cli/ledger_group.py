"""``primeur ledger``: what is booked, what follows from it, and its books."""

from primeur.cli import ledger_books, outlooks
from primeur.cli.ledger import commands

commands.command("what-if")(outlooks.ask_what_if)
commands.command("accounts")(ledger_books.list_accounts)
commands.command("balances")(ledger_books.list_balances)
commands.command("transactions")(ledger_books.list_transactions)
commands.command("export")(ledger_books.export_ledger)
