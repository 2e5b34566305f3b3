DROP TABLE ledger_verification;
