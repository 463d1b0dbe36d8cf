using Rpat.Engine.Devices;
using Rpat.Engine.Random;
using Rpat.Engine.Tensors;
using Rpat.Robust.Objectives;
using Rpat.Robust.Settings;

namespace Rpat.Samples.Extensions;

/// <summary>Normal noise on every gradient before the optimizer's step (Neelakantan et al., 2015): a
/// modifier that acts within the step.</summary>
public sealed record GradientNoise : Modifier
{
    [Setting("deviation of the noise", Source = "own choice")]
    public float Deviation { get; init; } = 1e-3f;

    public override StepHook Begin(ModifiedRun run) => new Hook(this, run);

    private sealed class Hook(GradientNoise rule, ModifiedRun run) : StepHook
    {
        private readonly float[] _noise = new float[run.Net.Parameters.Count];
        private readonly Tensor _onDevice = Tensor.Create(run.Net.Device, new Shape(1, (int)run.Net.Parameters.Count), name: "noise");

        public override void BeforeUpdate(in ModifiedStep step)
        {
            ParameterStore store = run.Net.Parameters;
            new RandomKey(run.Seed, Purpose.Noise, step.Moment.Epoch, step.Moment.Step, 0, 0).Stream().FillNormal(_noise);
            _onDevice.Upload(_noise);
            store.Device.Kernels.Scale(store.Count, _onDevice.Data, rule.Deviation, accumulate: true, store.Gradients);
        }
    }
}
