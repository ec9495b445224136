//! HTTP as every adapter speaks it: deadlines, bounds, no redirects, pacing.
