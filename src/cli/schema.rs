//! `portproof schema`.

use super::args::Schema;
use super::streams::print;
use crate::alert::Message;
use crate::change::ChangeDocument;
use crate::explain::ExplainDocument;
use crate::history::HistoryDocument;
use crate::plan::PlanDocument;
use crate::report::{ArrivalsDocument, DiffDocument, ReportDocument};

pub(super) fn run(of: Schema) -> anyhow::Result<u8> {
    let text = match of {
        Schema::Config => serde_json::to_string_pretty(&crate::config::schema())? + "\n",
        Schema::Api => serde_json::to_string_pretty(&crate::serve::api())? + "\n",
        Schema::Serve => serde_json::to_string_pretty(&crate::serve::schema())? + "\n",
        Schema::Report => {
            serde_json::to_string_pretty(&schemars::schema_for!(ReportDocument))? + "\n"
        }
        Schema::Explain => {
            serde_json::to_string_pretty(&schemars::schema_for!(ExplainDocument))? + "\n"
        }
        Schema::Arrivals => {
            serde_json::to_string_pretty(&schemars::schema_for!(ArrivalsDocument))? + "\n"
        }
        Schema::Diff => serde_json::to_string_pretty(&schemars::schema_for!(DiffDocument))? + "\n",
        Schema::History => {
            serde_json::to_string_pretty(&schemars::schema_for!(HistoryDocument))? + "\n"
        }
        Schema::Alert => serde_json::to_string_pretty(&schemars::schema_for!(Message))? + "\n",
        Schema::Plan => serde_json::to_string_pretty(&schemars::schema_for!(PlanDocument))? + "\n",
        Schema::Change => {
            serde_json::to_string_pretty(&schemars::schema_for!(ChangeDocument))? + "\n"
        }
        #[cfg(feature = "nats")]
        Schema::Agent => serde_json::to_string_pretty(&crate::fleet::agent_schema())? + "\n",
        #[cfg(feature = "nats")]
        Schema::Agents => serde_json::to_string_pretty(&crate::fleet::hub_schema())? + "\n",
        #[cfg(feature = "nats")]
        Schema::Job => {
            serde_json::to_string_pretty(&schemars::schema_for!(crate::fleet::JobMessage))? + "\n"
        }
        #[cfg(feature = "nats")]
        Schema::Result => {
            serde_json::to_string_pretty(&schemars::schema_for!(crate::fleet::ResultMessage))?
                + "\n"
        }
    };
    print(&text)?;
    Ok(0)
}
