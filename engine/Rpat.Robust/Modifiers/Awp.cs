using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>
/// Adversarial weight perturbation (AWP, NeurIPS'20; methods.md 4.3): the step's gradient is taken at weights moved up the loss by
/// γ‖w‖ in each tensor; the optimizer's step is applied there, and then the perturbation is removed.
/// </summary>
public sealed record Awp : Modifier
{
    /// <summary>γ: size of the move relative to each tensor.</summary>
    [Setting("size of the weight perturbation relative to each tensor; 0 for none", Source = "official code", Max = 1)]
    public float Gamma { get; init; } = 0.01f;

    /// <summary>First epoch, counted from 1.</summary>
    [Setting("first epoch with weight perturbation, counted from 1", Source = "official code", Min = 1,
        Without = "without weight perturbation")]
    public int Start { get; init; } = 1;

    /// <summary>Perturb every parameter, instead of only the kernels of convolutions and linear layers.</summary>
    public bool Everything { get; init; }

    /// <summary>Update running statistics in the pass at the unperturbed weights (ADR), instead of the one at perturbed weights.</summary>
    public bool StatisticsFirst { get; init; }

    /// <inheritdoc/>
    public override Objective On(Objective method) => Gamma == 0 ? method : base.On(method);

    /// <inheritdoc/>
    public override bool Acts(Objective method, int epoch) => epoch >= Start;

    /// <inheritdoc/>
    public override ProxyPass Proxy => StatisticsFirst ? ProxyPass.MovesStatistics : ProxyPass.Frozen;

    /// <inheritdoc/>
    public override StepHook Begin(ModifiedRun run) => new Perturber(run.Net, this);
}
