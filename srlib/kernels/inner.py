"""Functions that only other compiled functions call, compiled at half the cost.

numba makes machine code of every function that it compiles, and then once more, inlined, of every function that calls
it. For what is never called from Python the first of these is thrown away. Here such a function is only translated and
kept for its callers to link in. This uses numba's interface for custom compilers
(https://numba.readthedocs.io/en/stable/developer/custom_pipeline.html) and the methods by which a code library is
finalized; should a version of numba lack them, functions are compiled in the usual way.
"""

from __future__ import annotations

__all__ = ["InnerCompiler"]

try:
    from numba._dynfunc import make_function
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.compiler_machinery import register_pass
    from numba.core.typed_passes import NativeLowering

    for _name in ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals"):
        getattr(JITCodeLibrary, _name)
except (ImportError, AttributeError):  # pragma: no cover
    InnerCompiler = None
else:

    class LinkedLibrary(JITCodeLibrary):
        """Code that is optimized, and made machine code, only as a part of other libraries."""

        def _optimize_final_module(self):
            pass

        def _finalize_final_module(self):
            self._finalize_dynamic_globals()
            self._finalized = True

    @register_pass(mutates_CFG=True, analysis_only=False)
    class InnerLowering(NativeLowering):
        """Lowering of a function into a :class:`LinkedLibrary`."""

        _name = "inner_lowering"

        def run_pass(self, state):
            state.library = LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            state.flags.no_compile = True
            super().run_pass(state)
            lowered, library = state["cr"], state.library
            name, module = state.func_id.func_name, lowered.fndesc.lookup_module()
            # what callers look the function up by; there is no code at its address
            entry = make_function(module, name, "for compiled callers", 0, lowered.env, (library,))
            state["cr"] = lowered._replace(cfunc=entry)
            state.targetctx.insert_user_function(entry, lowered.fndesc, [library])
            return True

    class InnerCompiler(CompilerBase):
        """The usual passes with another lowering."""

        def define_pipelines(self):
            builder = DefaultPassBuilder.define_nopython_pipeline(self.state)
            builder.passes = [(InnerLowering if one is NativeLowering else one, why) for one, why in builder.passes]
            builder.finalize()
            return [builder]
