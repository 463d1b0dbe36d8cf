namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Kernels over plain buffers: images, attacks, parameters.</summary>
internal static class ElementCases
{
    private const float Eps = 8 / 255f, Step = 2 / 255f, Radius = 128 / 255f, Decay = 0.995f, Gamma = 0.01f;

    public static IEnumerable<Func<Givens, IEnumerable<KernelCase>>> Groups(KernelSizes sizes)
    {
        var images = sizes.Images;
        yield return make => Attacks(make, images);
        yield return make => Starts(make, images);
        yield return make => Batches(make, images);
        yield return make => Parameters(make, sizes.Parameters);
    }

    private static IEnumerable<KernelCase> Attacks(Givens make, Shape s)
    {
        Given x = make.Plain(s, 0, 1), g = make.Plain(s), box = make.Plain(s, 0, 1), ball = make.Plain(s, 0, 1), y = make.Plain(s);
        var moved = new double[s.SampleCount];
        yield return Flat("attack step linf", box, "LinfStep", k => k.LinfStep(s.Count, x, g, Step, Eps, box),
            at => Math.Clamp(Math.Clamp(box[at.I] + Step * Math.Sign(g[at.I]), x[at.I] - Eps, x[at.I] + Eps), 0, 1), 4);
        yield return Flat("attack step l2", ball, "L2Step", k => k.L2Step(s.N, s.SampleCount, x, g, Step, Radius, ballFirst: false, ball), at =>
        {
            int first = at.N * s.SampleCount;
            double norm = Math.Max(1e-6, Math.Sqrt(Enumerable.Range(first, s.SampleCount).Sum(i => g[i] * g[i])));
            for (int i = 0; i < moved.Length; i++) moved[i] = Math.Clamp(ball[first + i] + Step / norm * g[first + i], 0, 1) - x[first + i];
            return Back(x, moved, at.I, first);
        }, 5);
        yield return Flat("interpolation", y, "Lerp", k => k.Lerp(s.Count, x, g, 0.3f, y), at => x[at.I] + 0.3f * (g[at.I] - x[at.I]), 3);
        yield return Flat("copy: y = 1·x", y, "Scale", k => k.Scale(s.Count, x, 1, false, y), at => x[at.I], 2);
    }

    private static IEnumerable<KernelCase> Starts(Givens make, Shape s)
    {
        Given x = make.Plain(s, 0, 1), box = make.Plain(s), ball = make.Plain(s), noise = make.Plain(s);
        var key = new RandomKey(42, Purpose.AttackStart, 3, 0, 2, 5);
        long[] samples = [.. Enumerable.Range(0, s.N).Select(i => 1000L + 77 * i)];
        PhiloxStream Draws(Place at) => (key with { Sample = samples[at.N] }).Stream();
        int Within(Place at) => at.I - at.N * s.SampleCount;
        var moved = new float[s.SampleCount];
        yield return Flat("attack start linf", box, "LinfStart", k => k.LinfStart(s.N, s.SampleCount, x, Eps, key, samples, box),
            at => Math.Clamp(x[at.I] + Eps * (double)Draws(at).Symmetric(Within(at)), 0, 1), 2);
        yield return Flat("attack start l2", ball, "L2Start", k => k.L2Start(s.N, s.SampleCount, x, Radius, key, samples, ball), at =>
        {
            int first = at.N * s.SampleCount;
            Draws(at).FillUniform(moved);
            return Back(x, [.. moved.Select((u, i) => u - x[first + i])], at.I, first);
        }, 2);
        yield return Flat("attack start gaussian", noise, "GaussianStart", k => k.GaussianStart(s.N, s.SampleCount, x, 0.1f, key, samples, noise),
            at => x[at.I] + 0.1f * (double)Draws(at).Normal(Within(at)), 2);
    }

    /// <summary>x + δ, δ scaled into the ball if it is longer.</summary>
    private static double Back(Given x, double[] moved, int at, int first)
    {
        double norm = Math.Sqrt(moved.Sum(d => d * d));
        return Math.Clamp(x[at] + moved[at - first] * Math.Min(1, Radius / norm), 0, 1);
    }

    private static IEnumerable<KernelCase> Batches(Givens make, Shape s)
    {
        int[] indices = [.. Enumerable.Range(0, s.N).Reverse()];
        Given words = make.Words([.. Enumerable.Range(0, (int)((s.Count + 3) / 4)).Select(i => unchecked((int)(2654435761u * (uint)(i + 1))))]);
        Given batch = make.Plain(s);
        var how = new CropFlipOf(s.WithBatch(1), new AugmentOptions(4, true), new RandomKey(9, Purpose.Augment, 1, 0, 0, 0));
        yield return Flat("crop and flip from bytes", batch, "CropFlip", k => k.CropFlip(how, words, indices, batch), at => Augmented(how, indices[at.N], at), 1.25);
    }

    /// <summary>A value of <see cref="CropFlip"/>'s rule, from the bytes of the words that were uploaded.</summary>
    private static double Augmented(CropFlipOf how, int image, Place at)
    {
        var draws = (how.Key with { Sample = image }).Stream();
        int pad = how.Options.Pad, side = 2 * pad + 1, width = how.Image.W;
        int y = at.Y + draws.Below(0, side) - pad, x = (draws.Below(2, 2) == 1 ? width - 1 - at.X : at.X) + draws.Below(1, side) - pad;
        if (y < 0 || y >= how.Image.H || x < 0 || x >= width) return 0;
        int i = ((image * how.Image.C + at.C) * how.Image.H + y) * width + x;
        uint word = unchecked(2654435761u * (uint)(i / 4 + 1));
        return (word >> 8 * (i % 4) & 255) / 255.0;
    }

    private static IEnumerable<KernelCase> Parameters(Givens make, int count)
    {
        var s = new Shape(1, count);
        Given w = make.Plain(s), g = make.Plain(s), v = make.Plain(s), average = make.Plain(s), weights = make.Plain(s), perturbation = make.Plain(s);
        var step = new SgdStep(0.1f, 0.9f, 5e-4f, false);
        yield return Flat("sgd", w, "Sgd", k => k.Sgd(count, w, g, v, step), at =>
            w[at.I] - (double)step.Rate * (step.Momentum * v[at.I] + g[at.I] + step.WeightDecay * w[at.I]), 5);
        yield return Flat("moving average", average, "Ema", k => k.Ema(count, average, g, Decay), at => Decay * average[at.I] + (1 - (double)Decay) * g[at.I], 3);
        var ratio = new Lazy<double>(() => Gamma * Length(weights) / (Length(g) + 1e-20));
        yield return Flat("weight perturbation", perturbation, "PerturbWeights", k => k.PerturbWeights(count, weights, g, Gamma, perturbation), at => ratio.Value * g[at.I], 6);
    }

    private static double Length(Given given) => Math.Sqrt(given.Host.Sum(v => (double)v * v));

    private static KernelCase Flat(string name, Given result, string kernel, Action<IKernels> run, Func<Place, double> reference, double passes) =>
        new(name, result, run, reference) { Covers = [kernel], Bytes = passes * result.Bytes };
}
