//! Site files as cases: each file in `bad` and `good` is a test, and its own first lines say what is expected.

mod bad_sites;
mod good_sites;
mod product;

use bad_sites::refused_as_it_says;
use good_sites::planned_as_it_says;

datatest_stable::harness! {
    { test = refused_as_it_says, root = "tests/sites/bad", pattern = r"\.yaml$" },
    { test = planned_as_it_says, root = "tests/sites/good", pattern = r"\.yaml$" },
}
