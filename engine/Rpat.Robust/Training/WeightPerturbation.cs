using Rpat.Engine;
using Rpat.Engine.Nn;

namespace Rpat.Robust;

/// <summary>
/// Adversarial weight perturbation (AWP, NeurIPS'20; methods.md 4.3): the step's gradient is taken at weights moved up the loss by
/// γ‖w‖ in each tensor, and the optimizer's step is applied there, before the weights move back.
/// </summary>
/// <param name="Gamma">Size of the move relative to each tensor.</param>
/// <param name="Start">First epoch, counted from 1.</param>
/// <param name="Everything">Perturb every parameter, instead of the kernels of convolutions and linear layers only.</param>
/// <param name="StatisticsFirst">Running statistics move in the pass at the weights themselves (ADR), instead of the one at perturbed weights.</param>
public sealed record WeightPerturbation(float Gamma = 0.01f, int Start = 1, bool Everything = false, bool StatisticsFirst = false)
{
    internal bool Acts(int epoch) => Gamma != 0 && epoch >= Start;
}

/// <summary>Moves a network's weights up the gradient that a proxy pass left, and back.</summary>
internal sealed class Perturber
{
    private readonly ParameterStore _store;
    private readonly DeviceBuffer _moves;
    private readonly (Parameter Parameter, DeviceBuffer Move)[] _tensors;

    public Perturber(Classifier net, WeightPerturbation rule)
    {
        (_store, _moves) = (net.Parameters, net.Device.Allocate(net.Parameters.Count));
        long offset = 0;
        var tensors = new List<(Parameter, DeviceBuffer)>();
        foreach (var p in _store.Parameters)
        {
            if (rule.Everything || p.Dimensions.Count > 1) tensors.Add((p, _moves.View(offset, p.Shape.Count)));
            offset += p.Shape.Count;
        }
        _tensors = [.. tensors];
    }

    public void Perturb(float gamma)
    {
        foreach (var (p, move) in _tensors) _store.Device.Kernels.PerturbWeights(p.Shape.Count, p.Data, p.Grad, gamma, move);
        _store.Touch();
    }

    public void Restore()
    {
        _store.Device.Kernels.Scale(_store.Count, _moves, -1, accumulate: true, _store.Values);
        _store.Touch();
    }
}
