//! The hooks of one component, each with its types checked, ready to be asked.

use std::marker::PhantomData;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};
use wasmtime::{Store, format_err};

use crate::contract::{Failure, Hook, Quote, Request, StepAnswer, StepRequest, Verdict};
use crate::failure::Stopped;
use crate::guest::{Guest, Phase};
use crate::load::Unready;

/// What can be called of a loaded component.
#[derive(Default)]
pub(crate) struct Hooks {
    eligibility: Option<Checked<Request, Verdict>>,
    compliance: Option<Checked<Request, Verdict>>,
    refund: Option<Checked<Request, Quote>>,
    step: Option<Checked<StepRequest, StepAnswer>>,
}

impl Hooks {
    /// Checks the exact types of every hook that the component exports.
    pub(crate) fn new(component: &InstancePre<Guest>, exported: &[Hook]) -> Result<Self, Unready> {
        let mut hooks = Self::default();
        for hook in exported {
            hooks
                .add(component, *hook)
                .map_err(|error| Unready::Type { hook: Some(*hook), detail: format!("{error:#}") })?;
        }
        Ok(hooks)
    }

    fn add(&mut self, component: &InstancePre<Guest>, hook: Hook) -> wasmtime::Result<()> {
        match hook {
            Hook::Eligibility => self.eligibility = Some(Checked::new(component, hook)?),
            Hook::Compliance => self.compliance = Some(Checked::new(component, hook)?),
            Hook::Refund => self.refund = Some(Checked::new(component, hook)?),
            Hook::Step => self.step = Some(Checked::new(component, hook)?),
        }
        Ok(())
    }

    pub(crate) fn eligibility(&self) -> Result<&Checked<Request, Verdict>, Stopped> {
        self.eligibility.as_ref().ok_or(Stopped::HookMissing(Hook::Eligibility))
    }

    pub(crate) fn compliance(&self) -> Result<&Checked<Request, Verdict>, Stopped> {
        self.compliance.as_ref().ok_or(Stopped::HookMissing(Hook::Compliance))
    }

    pub(crate) fn refund(&self) -> Result<&Checked<Request, Quote>, Stopped> {
        self.refund.as_ref().ok_or(Stopped::HookMissing(Hook::Refund))
    }

    pub(crate) fn step(&self) -> Result<&Checked<StepRequest, StepAnswer>, Stopped> {
        self.step.as_ref().ok_or(Stopped::HookMissing(Hook::Step))
    }
}

/// One hook of a component, whose function takes a question and gives an answer of these types.
///
/// The bindings that wasmtime generates compare the types anew in every instance. With many different plugins that was a quarter
/// of a call, since the types of each have to be fetched from memory; they cannot change, and are compared once, here.
pub(crate) struct Checked<Question, Answer> {
    component: InstancePre<Guest>,
    function: ComponentExportIndex,
    types: PhantomData<fn(&Question) -> Answer>,
}

impl<Question, Answer> Checked<Question, Answer>
where
    Question: 'static,
    for<'q> (&'q Question,): ComponentNamedList + Lower,
    (Result<Answer, Failure>,): ComponentNamedList + Lift,
{
    fn new(linked: &InstancePre<Guest>, hook: Hook) -> wasmtime::Result<Self> {
        let component = linked.component();
        let place = component
            .get_export_index(None, hook.interface())
            .and_then(|interface| component.get_export(Some(&interface), hook.function()));
        let Some((ComponentItem::ComponentFunc(kind), function)) = place else {
            return Err(format_err!("it has no function `{}`", hook.function()));
        };
        kind.typecheck::<(&Question,), (Result<Answer, Failure>,)>(&linked.instance_type())?;
        Ok(Self { component: linked.clone(), function, types: PhantomData })
    }

    /// Asks a new instance in this store; start functions run first. Of what fails it says how far it had come.
    pub(crate) fn ask(
        &self,
        store: &mut Store<Guest>,
        question: &Question,
    ) -> Result<Result<Answer, Failure>, (Phase, wasmtime::Error)> {
        let instance = self.component.instantiate(&mut *store).map_err(|error| (Phase::Start, error))?;
        let function = instance.get_func(&mut *store, self.function);
        let function =
            function.ok_or_else(|| (Phase::Start, format_err!("the hook's function is not in its instance")))?;
        // SAFETY: the function must have these types. It is the export of `self.component` at `self.function`, whose type `new`
        // compared with exactly these, in the way in which wasmtime does it; a component and its types do not change.
        #[expect(unsafe_code, reason = "types that were compared once are not compared again")]
        let function = unsafe { TypedFunc::<(&Question,), (Result<Answer, Failure>,)>::new_unchecked(function) };
        let (answer,) = function.call(store, (question,)).map_err(|error| (Phase::Run, error))?;
        Ok(answer)
    }
}
