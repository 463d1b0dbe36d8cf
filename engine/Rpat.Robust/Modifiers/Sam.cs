using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>
/// Sharpness-aware minimisation (SAM, Foret et al., ICLR'21; methods.md 4.16) on top of any method: the step's gradient is the one at w +
/// ρ·g/‖g‖, g the gradient at w, of all parameters together; the optimizer's step starts from w. Running statistics move in the first pass.
/// </summary>
public sealed record Sam : Modifier
{
    /// <summary>ρ.</summary>
    [Setting("length of SAM's move up the loss, of all weights together; 0 for none", Source = "paper: 0.05")]
    public float Rho { get; init; } = 0.05f;

    /// <inheritdoc/>
    public override Objective On(Objective method) => Rho == 0 ? method : base.On(method);

    /// <inheritdoc/>
    public override ProxyPass Proxy => ProxyPass.MovesStatistics;

    /// <inheritdoc/>
    public override StepHook Begin(ModifiedRun run) => new Hook(run.Net.Parameters, Rho);

    private sealed class Hook(ParameterStore store, float rho) : StepHook
    {
        private readonly DeviceBuffer _weights = store.Device.Allocate(store.Count);
        private readonly float[] _gradient = new float[store.Count];

        public override void BeforePass(in ModifiedStep step)
        {
            step.RunProxy();
            store.Device.Download(store.Gradients, _gradient);
            double squares = 0;
            foreach (float g in _gradient) squares += (double)g * g;
            store.Device.Copy(store.Values, _weights);
            float rate = (float)(rho / (Math.Sqrt(squares) + 1e-12));
            store.Device.Kernels.Scale(store.Count, store.Gradients, rate, accumulate: true, store.Values);
            store.BumpVersion();
        }

        public override void BeforeUpdate(in ModifiedStep step)
        {
            store.Device.Copy(_weights, store.Values);
            store.BumpVersion();
        }
    }
}
