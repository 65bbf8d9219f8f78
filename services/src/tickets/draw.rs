//! Putting lines, rules and symbols on a page, tagged in the order in which they are read.

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Node, SpanTag, TagGroup, TagKind};

use super::text::{Block, Typeface};

pub(super) const BLACK: (u8, u8, u8) = (0, 0, 0);
pub(super) const GREY: (u8, u8, u8) = (96, 96, 96);
const RULE: (u8, u8, u8) = (200, 200, 200);
/// Lines are so much further apart than they are high.
const LEADING: f32 = 1.3;
/// What of a line stands above its base.
const ASCENT: f32 = 0.93;

/// A page that is drawn from the top. Measures are points, from the upper left corner.
pub(super) struct Sheet<'a, 'd> {
    surface: &'a mut Surface<'d>,
    /// What was drawn, in reading order.
    pub(super) read: Vec<Node>,
}

impl<'a, 'd> Sheet<'a, 'd> {
    pub(super) fn new(surface: &'a mut Surface<'d>) -> Self {
        Self {
            surface,
            read: Vec::new(),
        }
    }

    /// Sets a block below `y`; where it ends.
    pub(super) fn text(
        &mut self,
        (x, mut y): (f32, f32),
        typeface: &Typeface,
        block: &Block,
        colour: (u8, u8, u8),
        tag: impl Into<TagKind>,
    ) -> f32 {
        let mut group = TagGroup::new(tag);
        self.surface.set_fill(Some(fill(colour)));
        for line in &block.lines {
            let start = Point::from_xy(x, y + ASCENT * block.size);
            let read = self.surface.start_tagged(ContentTag::Span(SpanTag::empty()));
            self.surface.draw_glyphs(
                start,
                &line.glyphs,
                typeface.font.clone(),
                &line.text,
                block.size,
                false,
            );
            self.surface.end_tagged();
            group.push(read);
            y += LEADING * block.size;
        }
        if !block.lines.is_empty() {
            self.read.push(group.into());
        }
        y
    }

    /// A thin line across; not read.
    pub(super) fn rule(&mut self, (x, y): (f32, f32), width: f32) {
        let artifact = Artifact::new(ArtifactType::Layout, None);
        self.surface.start_tagged(ContentTag::Artifact(artifact));
        self.fill_rectangles(&[(x, y, width, 0.75)], RULE);
        self.surface.end_tagged();
    }

    /// Filled rectangles as one figure.
    pub(super) fn figure(&mut self, rectangles: &[(f32, f32, f32, f32)], tag: impl Into<TagKind>) {
        let mut group = TagGroup::new(tag);
        let read = self.surface.start_tagged(ContentTag::Other);
        self.fill_rectangles(rectangles, BLACK);
        self.surface.end_tagged();
        group.push(read);
        self.read.push(group.into());
    }

    fn fill_rectangles(&mut self, rectangles: &[(f32, f32, f32, f32)], colour: (u8, u8, u8)) {
        let mut path = PathBuilder::new();
        for (x, y, width, height) in rectangles {
            if let Some(rectangle) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(rectangle);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.set_fill(Some(fill(colour)));
            self.surface.draw_path(&path);
        }
    }
}

fn fill((red, green, blue): (u8, u8, u8)) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}
