//! `onsale openapi`: the API's `OpenAPI` 3.1 document, as `/openapi.json` serves it.

use super::print;
use crate::exit::Failure;

/// Prints the document.
pub(crate) fn run() -> Result<(), Failure> {
    print(&onsale_http::openapi_json())
}
