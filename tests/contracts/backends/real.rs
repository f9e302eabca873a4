//! The real adapters, wherever their clients lead.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::get_item::GetItemOutput,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};
use aws_sdk_s3::{
    primitives::ByteStream,
    types::{BucketVersioningStatus, VersioningConfiguration},
};
use shared::{
    clients::{
        dynamodb::{PermitRows, Table, TokenRow, schema},
        s3::Bucket,
    },
    domain::{object_key::ObjectKey, session::SessionKey},
};

use super::{Backend, Kept};

/// The class every object is stored in. Not the default, so that leaving it out is noticed.
pub(crate) const STORAGE_CLASS: &str = "STANDARD_IA";

/// The adapters, and the clients they use, for what no port shows.
pub(crate) struct Real {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) table_name: String,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) bucket_name: String,
    table: Table,
    bucket: Bucket,
}

impl Real {
    /// Over a table and a bucket that exist.
    pub(super) fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        table_name: &str,
        s3: aws_sdk_s3::Client,
        bucket_name: &str,
    ) -> Self {
        Self {
            table: Table::new(dynamodb.clone(), table_name.to_owned()),
            bucket: Bucket::new(s3.clone(), bucket_name.to_owned(), STORAGE_CLASS),
            dynamodb,
            table_name: table_name.to_owned(),
            s3,
            bucket_name: bucket_name.to_owned(),
        }
    }

    /// Creates table and bucket first, as the template has them.
    pub(super) async fn create(endpoint: &str, name: &str) -> Self {
        let dynamodb = tests::clients::dynamodb(endpoint);
        create_table(&dynamodb, name).await;
        let s3 = tests::clients::s3(endpoint);
        s3.create_bucket().bucket(name).send().await.unwrap();
        let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        s3.put_bucket_versioning().bucket(name).versioning_configuration(versions).send().await.unwrap();
        Self::new(dynamodb, name, s3, name)
    }

    /// Writes attributes of a session's row past the adapter.
    pub(crate) async fn spoil(&self, key: &SessionKey, attribute: &str, value: AttributeValue) {
        self.spoil_row(&pk(key), attribute, value).await;
    }

    /// Writes attributes of any row past the adapter.
    pub(crate) async fn spoil_row(&self, pk: &str, attribute: &str, value: AttributeValue) {
        let pk = AttributeValue::S(pk.to_owned());
        let update = self.dynamodb.update_item().table_name(&self.table_name).key(schema::KEY, pk);
        let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", attribute);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }

    async fn read_row(&self, pk: &str) -> Option<HashMap<String, AttributeValue>> {
        let pk = AttributeValue::S(pk.to_owned());
        let read = self.dynamodb.get_item().table_name(&self.table_name).key(schema::KEY, pk);
        let GetItemOutput { item, .. } = read.consistent_read(true).send().await.unwrap();
        item
    }
}

impl Backend for Real {
    type Sessions = Table;
    type Cursors = Table;
    type Tokens = TokenRow;
    type Permits = PermitRows;
    type Archive = Bucket;

    fn sessions(&self) -> &Table {
        &self.table
    }

    fn cursors(&self) -> &Table {
        &self.table
    }

    fn token_row(&self, client_id: &str) -> TokenRow {
        self.table.token_row(client_id)
    }

    fn permit_rows(&self, client_id: &str) -> PermitRows {
        self.table.permit_rows(client_id)
    }

    fn archive(&self) -> &Bucket {
        &self.bucket
    }

    async fn kept(&self, key: &SessionKey) -> Option<Kept> {
        let item = self.read_row(&pk(key)).await?;
        let number = |name: &str| item.get(name).map(|value| value.as_n().unwrap().parse().unwrap());
        let text = |value: &AttributeValue| value.as_s().unwrap().clone();
        Some(Kept {
            queued: item.get(schema::QUEUE).map(text).as_deref() == Some(schema::DUE),
            due_at_ms: number(schema::DUE_AT),
            expires_s: number(schema::TTL).unwrap(),
        })
    }

    async fn reminded_at_ms(&self) -> Option<u64> {
        let item = self.read_row(schema::RENEWAL_SIGNAL).await?;
        Some(item["at"].as_n().unwrap().parse().unwrap())
    }

    async fn bytes_of(&self, key: &ObjectKey) -> Option<Vec<u8>> {
        let object = self.s3.get_object().bucket(&self.bucket_name).key(key.as_str()).send().await.ok()?;
        Some(object.body.collect().await.unwrap().to_vec())
    }

    async fn unfinished(&self) -> usize {
        let list = self.s3.list_multipart_uploads().bucket(&self.bucket_name);
        list.send().await.unwrap().uploads().len()
    }

    async fn put_foreign(&self, key: &ObjectKey, bytes: &'static [u8]) {
        let put = self.s3.put_object().bucket(&self.bucket_name).key(key.as_str());
        put.body(ByteStream::from_static(bytes)).send().await.unwrap();
    }
}

/// The key of a session's row.
fn pk(key: &SessionKey) -> String {
    format!("session#{}#{}", key.account, key.session)
}

async fn create_table(client: &aws_sdk_dynamodb::Client, name: &str) {
    let attribute =
        |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name(schema::DUE_INDEX)
        .key_schema(key(schema::QUEUE, KeyType::Hash))
        .key_schema(key(schema::DUE_AT, KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    let create = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(schema::KEY, ScalarAttributeType::S))
        .attribute_definitions(attribute(schema::QUEUE, ScalarAttributeType::S))
        .attribute_definitions(attribute(schema::DUE_AT, ScalarAttributeType::N))
        .key_schema(key(schema::KEY, KeyType::Hash))
        .global_secondary_indexes(index);
    create.send().await.unwrap();
}
