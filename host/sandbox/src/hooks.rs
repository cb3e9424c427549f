//! The hooks of one component, each with its types checked, ready to be asked in the host's own contract whatever major it speaks.

use std::marker::PhantomData;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};
use wasmtime::{Store, format_err};

#[cfg(feature = "trial")]
use crate::contract::trial::{Converted, two};
use crate::contract::{Failure, Hook, Major, Quote, Request, StepAnswer, StepRequest, Verdict};
use crate::failure::Stopped;
use crate::guest::{Guest, Phase};
use crate::load::Unready;

/// What a hook said, or how far it had come when it failed.
pub(crate) type Said<Answer, Fails = Failure> = Result<Result<Answer, Fails>, (Phase, wasmtime::Error)>;

/// A hook that takes a question and gives an answer of the host's contract.
pub(crate) trait Ask<Question, Answer>: Send + Sync {
    /// Asks a new instance in this store; start functions run first.
    fn ask(&self, store: &mut Store<Guest>, question: &Question) -> Said<Answer>;
}

type Asked<Question, Answer> = Option<Box<dyn Ask<Question, Answer>>>;

/// What can be called of a loaded component.
#[derive(Default)]
pub(crate) struct Hooks {
    eligibility: Asked<Request, Verdict>,
    compliance: Asked<Request, Verdict>,
    refund: Asked<Request, Quote>,
    step: Asked<StepRequest, StepAnswer>,
}

impl Hooks {
    /// Checks the exact types of every hook that the component exports.
    pub(crate) fn new(component: &InstancePre<Guest>, major: Major, exported: &[Hook]) -> Result<Self, Unready> {
        let mut hooks = Self::default();
        for hook in exported {
            let interface = || major.interface(*hook);
            hooks
                .add(component, major, *hook)
                .map_err(|error| Unready::Type { interface: interface(), detail: format!("{error:#}") })?;
        }
        Ok(hooks)
    }

    fn add(&mut self, component: &InstancePre<Guest>, major: Major, hook: Hook) -> wasmtime::Result<()> {
        match major {
            Major::Zero => match hook {
                Hook::Eligibility => self.eligibility = own(component, hook)?,
                Hook::Compliance => self.compliance = own(component, hook)?,
                Hook::Refund => self.refund = own(component, hook)?,
                Hook::Step => self.step = own(component, hook)?,
            },
            #[cfg(feature = "trial")]
            Major::Two => {
                let judged = |hook| Checked::new(component, major, hook).map(Converted::<two::Request, two::Verdict>);
                match hook {
                    Hook::Eligibility => self.eligibility = Some(Box::new(judged(hook)?)),
                    Hook::Compliance => self.compliance = Some(Box::new(judged(hook)?)),
                    Hook::Refund => {
                        let hook = Checked::new(component, major, hook)?;
                        self.refund = Some(Box::new(Converted::<two::Request, two::Quote>(hook)));
                    }
                    Hook::Step => {
                        let hook = Checked::new(component, major, hook)?;
                        self.step = Some(Box::new(Converted::<two::StepRequest, two::StepAnswer>(hook)));
                    }
                }
            }
        }
        Ok(())
    }

    pub(crate) fn eligibility(&self) -> Result<&dyn Ask<Request, Verdict>, Stopped> {
        self.eligibility.as_deref().ok_or(Stopped::HookMissing(Hook::Eligibility))
    }

    pub(crate) fn compliance(&self) -> Result<&dyn Ask<Request, Verdict>, Stopped> {
        self.compliance.as_deref().ok_or(Stopped::HookMissing(Hook::Compliance))
    }

    pub(crate) fn refund(&self) -> Result<&dyn Ask<Request, Quote>, Stopped> {
        self.refund.as_deref().ok_or(Stopped::HookMissing(Hook::Refund))
    }

    pub(crate) fn step(&self) -> Result<&dyn Ask<StepRequest, StepAnswer>, Stopped> {
        self.step.as_deref().ok_or(Stopped::HookMissing(Hook::Step))
    }
}

/// A hook whose types are the host's.
fn own<Question, Answer>(component: &InstancePre<Guest>, hook: Hook) -> wasmtime::Result<Asked<Question, Answer>>
where
    Question: Sync + 'static,
    Answer: Send + Sync + 'static,
    for<'q> (&'q Question,): ComponentNamedList + Lower,
    (Result<Answer, Failure>,): ComponentNamedList + Lift,
{
    Ok(Some(Box::new(Checked::<Question, Answer>::new(component, Major::Zero, hook)?)))
}

/// One hook of a component, whose function takes a question and gives an answer of these types.
///
/// The bindings that wasmtime generates compare the types anew in every instance. With many different plugins that was a quarter
/// of a call, since the types of each have to be fetched from memory; they cannot change, and are compared once, here.
pub(crate) struct Checked<Question, Answer, Fails = Failure> {
    component: InstancePre<Guest>,
    function: ComponentExportIndex,
    types: PhantomData<fn(&Question, Answer, Fails)>,
}

impl<Question, Answer, Fails> Checked<Question, Answer, Fails>
where
    Question: 'static,
    for<'q> (&'q Question,): ComponentNamedList + Lower,
    (Result<Answer, Fails>,): ComponentNamedList + Lift,
{
    pub(crate) fn new(linked: &InstancePre<Guest>, major: Major, hook: Hook) -> wasmtime::Result<Self> {
        let component = linked.component();
        let place = component
            .get_export_index(None, major.interface(hook))
            .and_then(|interface| component.get_export(Some(&interface), hook.function()));
        let Some((ComponentItem::ComponentFunc(kind), function)) = place else {
            return Err(format_err!("it has no function `{}`", hook.function()));
        };
        kind.typecheck::<(&Question,), (Result<Answer, Fails>,)>(&linked.instance_type())?;
        Ok(Self { component: linked.clone(), function, types: PhantomData })
    }

    /// Asks a new instance in this store; start functions run first. Of what fails it says how far it had come.
    pub(crate) fn put(&self, store: &mut Store<Guest>, question: &Question) -> Said<Answer, Fails> {
        let instance = self.component.instantiate(&mut *store).map_err(|error| (Phase::Start, error))?;
        let function = instance.get_func(&mut *store, self.function);
        let function =
            function.ok_or_else(|| (Phase::Start, format_err!("the hook's function is not in its instance")))?;
        // SAFETY: the function must have these types. It is the export of `self.component` at `self.function`, whose type `new`
        // compared with exactly these, in the way in which wasmtime does it; a component and its types do not change.
        #[expect(unsafe_code, reason = "types that were compared once are not compared again")]
        let function = unsafe { TypedFunc::<(&Question,), (Result<Answer, Fails>,)>::new_unchecked(function) };
        let (answer,) = function.call(store, (question,)).map_err(|error| (Phase::Run, error))?;
        Ok(answer)
    }
}

impl<Question, Answer> Ask<Question, Answer> for Checked<Question, Answer>
where
    Question: 'static,
    for<'q> (&'q Question,): ComponentNamedList + Lower,
    (Result<Answer, Failure>,): ComponentNamedList + Lift,
{
    fn ask(&self, store: &mut Store<Guest>, question: &Question) -> Said<Answer> {
        self.put(store, question)
    }
}
