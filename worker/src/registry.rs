//! Which handler does which job.

use domain::job::Task;

use crate::{
    context::Context,
    failure::Failure,
    jobs::{Attempt, print_labels, render_code, render_image},
};

/// Does what the task says.
///
/// # Errors
/// What the handler says.
pub async fn run(context: &Context, attempt: &Attempt, task: Task) -> Result<(), Failure> {
    match task {
        Task::PrintLabels { item_ids, sheet } => {
            print_labels::run(context, attempt, item_ids, sheet).await
        }
        Task::RenderCode { item_id } => render_code::run(context, attempt, item_id).await,
        Task::RenderImage { image_id } => render_image::run(context, attempt, image_id).await,
    }
}
