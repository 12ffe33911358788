"""Graph networks against plain loops and symmetries, losses against their formulas, training against its promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from srlib.distill.gnn import VARIANTS, Architecture, GraphNetwork, Settings, simulate, to_graphs, train  # noqa: E402
from srlib.distill.gnn.graphs import edges  # noqa: E402
from srlib.distill.gnn.network import DOCUMENT  # noqa: E402
from srlib.distill.gnn.training import adam, one_cycle, penalty, prediction_loss  # noqa: E402
from srlib.metrics import acpcr, acper, huber, mae, mse  # noqa: E402

DATA = to_graphs(simulate("spring", 20, steps=50, random_state=0))
SMALL = {"hidden": 8, "layers": 2, "components": 5}
TINY = Settings(epochs=3, steps=5, batch=8)


def network(variant="bottleneck", **options):
    return GraphNetwork(Architecture(variant, **{**SMALL, **options})).double()


def states(graphs=3, n=4, dim=2, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(
        np.concatenate([rng.normal(size=(graphs, n, 2 * dim + 1)), rng.uniform(0.5, 2, (graphs, n, 1))], 2)
    )


# ------------------------------------------------------------ the network


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("edge_inputs", ["raw", "relative", "log"])
def test_dense_is_a_plain_loop_over_edges(variant, edge_inputs):
    net, s = network(variant, edge_inputs=edge_inputs, node_inputs="full" if edge_inputs == "raw" else "own"), states()
    told = net(s)
    for g in range(3):
        for i in range(4):
            total = 0
            for j in range(4):
                if j != i:
                    one = net.edge(net.pair_features(s[g, i], s[g, j]))
                    if variant == "antisymmetric":
                        one = one - net.edge(net.pair_features(s[g, j], s[g, i]))
                    if variant == "kl":
                        one = one[: len(one) // 2]  # the means
                    total = total + one
            own = s[g, i] if edge_inputs == "raw" else torch.stack([s[g, i, -2], s[g, i, -1], s[g, i, -1].log()])
            assert torch.allclose(told[g, i], net.node(torch.cat([total, own])), atol=1e-12)


@given(st.sampled_from(VARIANTS), st.permutations(range(5)), st.sampled_from(["raw", "relative", "log"]))
def test_permuted_particles_have_permuted_accelerations(variant, order, edge_inputs):
    net, s = network(variant, edge_inputs=edge_inputs), states(2, 5)
    assert torch.allclose(net(s)[:, order], net(s[:, order]), atol=1e-12)


@pytest.mark.parametrize(("edge_inputs", "invariant"), [("raw", False), ("relative", True), ("log", True)])
def test_only_raw_inputs_see_where_the_origin_is(edge_inputs, invariant):
    net, s = network(edge_inputs=edge_inputs), states()
    moved = s.clone()
    moved[..., :2] += torch.tensor([1.0, -2.0])
    assert torch.allclose(net(s), net(moved), atol=1e-9) == invariant


def test_messages_of_the_antisymmetric_variant_obey_the_third_law():
    s = states(2, 2)
    m = network("antisymmetric").messages(s)  # to 0 from 1, to 1 from 0
    assert torch.allclose(m[:, 0], -m[:, 1]) and m.abs().max() > 0
    other = network("bottleneck").messages(s)
    assert not torch.allclose(other[:, 0], -other[:, 1])


def test_shapes_and_sizes_are_the_documents():
    net = GraphNetwork(Architecture("l1", **DOCUMENT))
    linear = [(one.in_features, one.out_features) for one in net.edge if isinstance(one, torch.nn.Linear)]
    assert linear == [(12, 300), (300, 300), (300, 300), (300, 100)]
    linear = [(one.in_features, one.out_features) for one in net.node if isinstance(one, torch.nn.Linear)]
    assert linear == [(106, 300), (300, 300), (300, 300), (300, 2)]
    wide = GraphNetwork(Architecture("plus-minus", **DOCUMENT)).edge
    assert [one.out_features for one in wide if isinstance(one, torch.nn.Linear)] == [300, 450, 600, 450, 300, 100]
    assert GraphNetwork(Architecture("kl", dim=3)).edge[-1].out_features == 200
    assert network("bottleneck", dim=3).messages(states(2, 4, 3)).shape == (2, 12, 3)


def test_the_custom_edge_model_is_its_formula():
    edge = network("custom").edge
    f = torch.randn(7, 10, dtype=torch.float64)
    x = edge.first(f).clamp(min=0)
    expected = edge.last(torch.cat([edge.once(1 / (1 + x)), edge.twice(1 / (1 + x) ** 2)], dim=1))
    assert torch.allclose(edge(f), expected)


def test_messages_of_kl_are_samples_of_what_the_edge_model_says():
    net, s = network("kl"), states(1, 2)
    mean, log_variance = net.edge_outputs(s).chunk(2, dim=-1)
    assert torch.equal(net.messages(s), mean)
    many = net.edge_outputs(s.expand(20000, -1, -1))
    drawn = net.sampled(many, torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.mean(dim=0), mean[0], atol=0.05)
    assert torch.allclose(drawn.std(dim=0), (0.5 * log_variance[0]).exp(), rtol=0.05)


# ------------------------------------------------------------ losses


@given(st.integers(0, 10**6), st.floats(0.1, 5))
def test_losses_are_those_of_the_metrics(seed, size):
    rng = np.random.default_rng(seed)
    a, b = size * rng.normal(size=(2, 3, 4, 2))
    for kind, metric in (("mae", mae), ("mse", mse), ("huber", huber)):
        ours = prediction_loss(kind, torch.tensor(a - b)).item()
        assert ours == pytest.approx(metric(a.reshape(-1, 2), b.reshape(-1, 2)))
    assert acpcr(a.ravel(), b.ravel(), 0.5) + acper(a.ravel(), b.ravel(), 0.5) == pytest.approx(1)


def test_relative_losses_weigh_by_the_size_of_the_acceleration():
    error, scale = torch.tensor([[[2.0, 0.0]]]), torch.tensor([[[4.0]]])
    assert [prediction_loss(kind, error, scale).item() for kind in ("mae", "mse", "huber")] == [0.25, 0.5, 0.1875]


def test_penalties_are_means_over_all_edges():
    outputs = torch.randn(3, 12, 8, dtype=torch.float64)
    assert penalty("l1", outputs).item() == pytest.approx(np.abs(outputs.numpy()).sum() / 36)
    mu, logvar = outputs.numpy()[..., :4], outputs.numpy()[..., 4:]
    assert penalty("kl", outputs).item() == pytest.approx(0.5 * (mu**2 + np.exp(logvar) - logvar).sum() / 36)
    assert penalty("bottleneck", outputs).item() == 0 and penalty("custom", outputs) == penalty("l1", outputs)


def test_one_cycle_is_torchs():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.3, total_steps=57, final_div_factor=1e4)
    for step in range(57):
        assert optimiser.param_groups[0]["lr"] == pytest.approx(one_cycle(step, 57, 0.3))
        if step < 56:
            optimiser.step()
            schedule.step()


# ------------------------------------------------------------ training


def same_weights(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains_and_repeats(variant):
    seen = []
    kind = Architecture(variant, **SMALL)
    one, other = (train(DATA, kind, TINY, callbacks=[seen.append]) for _ in range(2))
    assert same_weights(one.network, other.network) and one.reason == "completed"
    assert [event.number for event in seen[:3]] == [1, 2, 3] and seen[0].total == 3
    assert seen[0].deviations.shape == (kind.message,) and np.isfinite(seen[2].loss)
    assert not same_weights(one.network, GraphNetwork(kind))
    assert not same_weights(one.network, train(DATA, kind, Settings(epochs=3, steps=5, batch=8, seed=1)).network)


def test_a_short_training_learns_forces_of_the_spring():
    data = to_graphs(simulate("spring", 200, steps=100, random_state=0))
    new = to_graphs(simulate("spring", 50, steps=100, random_state=1))
    trained = train(data, Architecture(hidden=32, layers=2), Settings(epochs=4, steps=100), test=new)
    first, last = trained.history[0], trained.history[-1]
    assert last.test_loss < 0.3 * first.test_loss and last.acpcr > first.acpcr
    told = trained.network.predict(new.states)
    x, v, q, m = new.states[..., :2], new.states[..., 2:4], new.states[..., 4], new.states[..., 5]
    assert np.array_equal(trained.network.acceleration(x, v, q, m), told)
    relative = np.abs(told - new.accelerations) / (1 + np.linalg.norm(new.accelerations, axis=2, keepdims=True))
    assert relative.mean() < 0.1  # it is 0.3 for a network that answers 0


def test_events_report_what_the_metrics_say():
    new = to_graphs(simulate("spring", 5, steps=50, random_state=2))
    event = train(DATA, Architecture(**SMALL), Settings(epochs=1, steps=3, relative=False), test=new).history[0]
    told = event.network.predict(new.states)
    assert event.test_loss == pytest.approx(mae(new.accelerations.ravel(), told.ravel()), rel=1e-5)
    assert event.acpcr == acpcr(new.accelerations.ravel(), told.ravel())
    said = event.network.messages(event.network.tensor(new.states)).detach().double().numpy()
    assert np.allclose(event.deviations, said.reshape(-1, 2).std(axis=0), rtol=1e-5)


def test_translations_change_what_raw_inputs_learn_and_nothing_else():
    def trained(edge_inputs, translate):
        kind = Architecture("bottleneck", **SMALL, edge_inputs=edge_inputs)
        return train(DATA, kind, Settings(epochs=1, steps=5, translate=translate)).history[0].loss

    assert trained("raw", 3.0) != pytest.approx(trained("raw", 0.0), rel=1e-3)


def test_callbacks_limits_and_ctrl_c_end_a_training_and_keep_it(ctrl_c):
    kind = Architecture(**SMALL)
    assert len(train(DATA, kind, TINY, callbacks=[lambda e: e.number == 2]).history) == 2
    limited = train(DATA, kind, Settings(epochs=10**4, steps=10), time_limit=0.3)
    assert limited.reason == "time_limit" and 0.3 <= limited.seconds < 5

    def interrupt(event):
        raise KeyboardInterrupt

    stopped = train(DATA, kind, TINY, callbacks=[interrupt])
    assert stopped.reason == "interrupted" and len(stopped.history) == 1
    assert not same_weights(stopped.network, GraphNetwork(kind))


@pytest.mark.parametrize("variant", ["antisymmetric", "kl"])
def test_a_training_goes_on_from_its_checkpoint_as_if_never_stopped(variant, tmp_path):
    kind, path = Architecture(variant, **SMALL), tmp_path / "run.npz"
    whole = train(DATA, kind, TINY)
    train(DATA, kind, TINY, callbacks=[lambda e: e.number == 1], checkpoint=path)
    events = []
    resumed = train(DATA, kind, TINY, callbacks=[events.append], checkpoint=path)
    assert same_weights(whole.network, resumed.network) and [event.number for event in events] == [2, 3]
    assert [e.loss for e in whole.history] == [e.loss for e in resumed.history]
    with pytest.raises(ValueError, match="is of a training with settings = .*: choose another file"):
        train(DATA, kind, Settings(epochs=4, steps=5, batch=8), checkpoint=path)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is damaged"):
        train(DATA, kind, TINY, checkpoint=path)
    assert path.read_bytes() == b"no archive"
    with pytest.raises(ValueError, match="cannot be written"):
        train(DATA, kind, TINY, checkpoint=tmp_path / "nowhere" / "run.npz")


# ------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "botleneck"}, "variant is 'botleneck'.* did you mean 'bottleneck'"),
        ({"dim": 4}, "dim is 4"),
        ({"hidden": 0}, "hidden is 0"),
        ({"edge_inputs": "all"}, "edge_inputs is 'all'"),
        ({"activation": "tanh"}, "activation is 'tanh'"),
    ],
)
def test_bad_architectures_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "l2"}, "loss is 'l2'"),
        ({"epochs": 0}, "epochs is 0"),
        ({"alpha": -1}, "alpha is -1"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Settings(**options)


def test_dimensions_that_do_not_go_together_are_named():
    with pytest.raises(ValueError, match="data has 2 dimensions, but the network is for 3"):
        train(DATA, Architecture("kl", dim=3))
    with pytest.raises(ValueError, match=r"states has shape \(2, 4, 5\)"):
        network().predict(np.zeros((2, 4, 5)))
    with pytest.raises(ValueError, match="lower learning_rate than 1e\\+30"):
        train(DATA, Architecture(**SMALL), Settings(epochs=1, steps=9, loss="mse", learning_rate=1e30))


def test_antisymmetric_messages_of_all_edges_are_those_of_each_pair():
    net, s = network("antisymmetric"), states(n=5)
    receivers, senders = edges(5)
    pairs = net.between(s[:, receivers], s[:, senders])
    assert torch.allclose(net.edge_outputs(s), pairs, rtol=0, atol=1e-14)


def test_weight_decay_is_that_of_the_squares_in_the_loss():
    one, other, settings = network(), network(), Settings(weight_decay=0.1)
    ours, theirs = adam(one, settings), torch.optim.Adam(other.parameters(), lr=settings.learning_rate)
    for _ in range(5):
        for net, optimiser, decay in ((one, ours, 0.0), (other, theirs, 0.1)):
            optimiser.zero_grad()
            sum((w - 1).pow(4).sum() + decay * w.square().sum() for w in net.parameters()).backward()
            optimiser.step()
    for w, v in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.allclose(w, v, rtol=1e-9, atol=0)
