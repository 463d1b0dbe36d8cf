using Rpat.Engine.Devices;
using Rpat.Engine.Tensors;
using Rpat.Nn.Arrays;
using Rpat.Robust.Objectives;
using Rpat.Robust.Settings;

namespace Rpat.Samples.Extensions;

/// <summary>Slow weights move a share of the way to the trained ones every few steps, which begin again from there (Zhang et al.,
/// 2019): a modifier that keeps something.</summary>
public sealed record Lookahead : Modifier
{
    [Setting("steps between two moves of the slow weights", Source = "Zhang et al., 2019", Min = 1)]
    public int Every { get; init; } = 5;

    [Setting("share of the way", Source = "Zhang et al., 2019", Max = 1)]
    public float Share { get; init; } = 0.5f;

    public override StepHook Begin(ModifiedRun run) => new Hook(this, run.Net.Parameters);

    private sealed class Hook : StepHook
    {
        private const string Name = "lookahead.slow";
        private readonly Lookahead _rule;
        private readonly ParameterStore _fast;
        private readonly Tensor _slow;

        public Hook(Lookahead rule, ParameterStore fast)
        {
            (_rule, _fast) = (rule, fast);
            _slow = Tensor.Create(fast.Device, new Shape(1, (int)fast.Count), name: Name);
            Kernels.Scale(fast.Count, fast.Values, 1, accumulate: false, _slow.Data);
        }

        private IKernels Kernels => _fast.Device.Kernels;

        public override void AfterMove(in ModifiedStep step)
        {
            if ((step.Moment.Step + 1) % _rule.Every != 0) return;
            Kernels.Lerp(_fast.Count, _slow.Data, _fast.Values, _rule.Share, _slow.Data);
            Kernels.Scale(_fast.Count, _slow.Data, 1, accumulate: false, _fast.Values);
            _fast.BumpVersion(); // what was made of the weights is made again
        }

        public override IEnumerable<NamedArray> State() => [NamedArray.FromFloats(Name, _slow.ToArray(), _fast.Count)];

        public override void LoadState(IReadOnlyDictionary<string, NamedArray> state) => _slow.Upload(state.TryGetValue(Name, out var slow)
            ? slow.ToFloats() : throw new CheckpointException($"The training state has no '{Name}': it belongs to another run."));
    }
}
