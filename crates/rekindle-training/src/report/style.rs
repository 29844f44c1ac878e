//! The styles of pages and pictures, in light and dark.

/// Colours and drawings, for pictures: as the screen asks for.
pub(super) const PICTURE: &str = concat!(
    ":root {\ncolor-scheme: light dark;\n",
    include_str!("light.css"),
    "}\n@media (prefers-color-scheme: dark) {\n:root {\n",
    include_str!("dark.css"),
    "}\n}\n",
    include_str!("drawing.css"),
    include_str!("comparison.css")
);

/// Colours, drawings, type and layout, for pages: as the screen asks for, or as the reader has chosen; light on paper.
pub(super) const PAGE: &str = concat!(
    ":root {\ncolor-scheme: light dark;\n",
    include_str!("light.css"),
    "}\n@media screen and (prefers-color-scheme: dark) {\n:root:not([data-theme=\"light\"]) {\n",
    include_str!("dark.css"),
    "}\n}\n@media screen {\n:root[data-theme=\"light\"] { color-scheme: light; }\n\
     :root[data-theme=\"dark\"] {\ncolor-scheme: dark;\n",
    include_str!("dark.css"),
    "}\n}\n",
    include_str!("drawing.css"),
    include_str!("style.css")
);
