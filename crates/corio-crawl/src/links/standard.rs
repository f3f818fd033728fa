//! The sure path: the whole parsing algorithm of the HTML standard, by html5ever, over a tree that keeps only links.

use super::Hrefs;
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tokenizer::{BufferQueue, Tag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilderOpts, TreeSink};
use html5ever::{Attribute, ParseOpts, QualName, local_name, ns, parse_document};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Returns the page's links. A crawler runs no scripts, so `<noscript>` is parsed as a browser without them would.
pub(super) fn parse(text: &str) -> Hrefs<'static> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    parse_document(Tree::new(), options).one(StrTendril::from_slice(text))
}

/// Returns the `href` of the one start tag in `text`, character references replaced.
pub(super) fn href_of_tag(text: &str) -> Option<String> {
    let tokenizer = Tokenizer::new(FirstTag::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.href.take().map(String::from)
}

/// A listener to the tokenizer that keeps the first start tag's `href`.
#[derive(Default)]
struct FirstTag {
    href: Cell<Option<StrTendril>>,
}

impl TokenSink for FirstTag {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let TagToken(Tag { attrs, .. }) = token {
            self.href.set(href(attrs));
        }
        TokenSinkResult::Continue
    }
}

fn href(attributes: Vec<Attribute>) -> Option<StrTendril> {
    let is_href = |attribute: &Attribute| attribute.name.ns == ns!() && attribute.name.local == local_name!("href");
    attributes.into_iter().find(is_href).map(|attribute| attribute.value)
}

/// What an element is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Link,
    Base,
    Other,
}

impl Kind {
    fn of(name: &QualName) -> Kind {
        match name.local {
            _ if name.ns != ns!(html) => Kind::Other,
            local_name!("a") | local_name!("area") => Kind::Link,
            local_name!("base") => Kind::Base,
            _ => Kind::Other,
        }
    }
}

/// A node without children: the tree builder keeps its own stack of open elements, and asks for little more.
struct Node {
    name: QualName,
    kind: Kind,
    /// Taken when the node first enters the document.
    href: RefCell<Option<StrTendril>>,
    has_parent: Cell<bool>,
    /// Whether the node lies in a template, so not in the document.
    in_template: Cell<bool>,
    is_integration_point: bool,
}

type Handle = Rc<Node>;

/// The document, as far as links go.
struct Tree {
    document: Handle,
    template_contents: Handle,
    found: RefCell<Hrefs<'static>>,
}

impl Tree {
    fn new() -> Tree {
        let template_contents = Tree::nameless();
        template_contents.in_template.set(true);
        Tree { document: Tree::nameless(), template_contents, found: RefCell::default() }
    }

    /// Makes a node that is no element.
    fn nameless() -> Handle {
        Tree::node(QualName::new(None, ns!(), local_name!("")), None, false)
    }

    fn node(name: QualName, href: Option<StrTendril>, is_integration_point: bool) -> Handle {
        let kind = Kind::of(&name);
        let (has_parent, in_template) = (Cell::new(false), Cell::new(false));
        Rc::new(Node { name, kind, href: RefCell::new(href), has_parent, in_template, is_integration_point })
    }

    /// Notes that `child` came to stand in `parent`, or beside a node that stands where `parent` says.
    fn enter(&self, child: NodeOrText<Handle>, in_template: bool) {
        let NodeOrText::AppendNode(node) = child else { return };
        node.has_parent.set(true);
        node.in_template.set(in_template);
        if in_template || node.kind == Kind::Other {
            return;
        }
        let Some(href) = node.href.take() else { return };
        let href = Cow::Owned(String::from(href));
        match node.kind {
            Kind::Link => self.found.borrow_mut().link(href),
            _ => self.found.borrow_mut().base(href),
        }
    }
}

impl TreeSink for Tree {
    type Handle = Handle;
    type Output = Hrefs<'static>;
    type ElemName<'a> = &'a QualName;

    fn finish(self) -> Hrefs<'static> {
        self.found.into_inner()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Rc::clone(&self.document)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> &'a QualName {
        &target.name
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let href = if Kind::of(&name) == Kind::Other { None } else { href(attributes) };
        Tree::node(name, href, flags.mathml_annotation_xml_integration_point)
    }

    fn create_comment(&self, _text: StrTendril) -> Handle {
        Tree::nameless()
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Handle {
        Tree::nameless()
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.enter(child, parent.in_template.get());
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let place = if element.has_parent.get() { element } else { previous };
        self.enter(child, place.in_template.get());
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, _target: &Handle) -> Handle {
        Rc::clone(&self.template_contents)
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, node: NodeOrText<Handle>) {
        self.enter(node, sibling.in_template.get());
    }

    fn add_attrs_if_missing(&self, _target: &Handle, _attributes: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Handle) {
        target.has_parent.set(false);
    }

    fn reparent_children(&self, _node: &Handle, _parent: &Handle) {}

    fn is_mathml_annotation_xml_integration_point(&self, node: &Handle) -> bool {
        node.is_integration_point
    }
}
