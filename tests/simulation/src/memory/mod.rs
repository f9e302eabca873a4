//! The ports in memory: a table, a bucket and a token row that keep the same contracts as DynamoDB and S3.
