namespace Rpat.Training;

/// <summary>The optimizer that a configuration describes.</summary>
internal static class OptimizerFactory
{
    public static Optimizer Make(ParameterStore parameters, TrainerConfig config)
    {
        OptimizerSection o = config.Optimizer;
        float clip = (float)o.Clip, decay = (float)o.WeightDecay;
        int accumulate = config.Train.Accumulate;
        return o.Name == OptimizerKind.Sgd
            ? new Sgd(parameters, (float)o.Momentum, decay, o.Nesterov) { ClipNorm = clip, Accumulate = accumulate }
            : new Adam(parameters, (float)o.Beta1, (float)o.Beta2, (float)o.Epsilon, decay, o.Name == OptimizerKind.AdamW)
            { ClipNorm = clip, Accumulate = accumulate };
    }
}
