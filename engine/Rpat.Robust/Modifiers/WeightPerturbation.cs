namespace Rpat.Robust.Modifiers;

/// <summary>Moves a network's weights up the gradient that a proxy pass computed, and back.</summary>
internal sealed class Perturber : StepHook
{
    private readonly float _gamma;
    private readonly ParameterStore _store;
    private readonly DeviceBuffer _moves;
    private readonly (Parameter Parameter, DeviceBuffer Move)[] _tensors;

    public Perturber(Classifier net, Awp rule)
    {
        (_gamma, _store, _moves) = (rule.Gamma, net.Parameters, net.Device.Allocate(net.Parameters.Count));
        long offset = 0;
        var tensors = new List<(Parameter, DeviceBuffer)>();
        foreach (var p in _store.Parameters)
        {
            if (rule.Everything || p.Dimensions.Count > 1) tensors.Add((p, _moves.View(offset, p.Shape.Count)));
            offset += p.Shape.Count;
        }
        _tensors = [.. tensors];
    }

    public override void BeforePass(in ModifiedStep step)
    {
        step.RunProxy();
        foreach (var (p, move) in _tensors) _store.Device.Kernels.PerturbWeights(p.Shape.Count, p.Data, p.Grad, _gamma, move);
        _store.BumpVersion();
    }

    public override void AfterUpdate(in ModifiedStep step)
    {
        _store.Device.Kernels.Scale(_store.Count, _moves, -1, accumulate: true, _store.Values);
        _store.BumpVersion();
    }
}
