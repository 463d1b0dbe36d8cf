namespace Rpat.Engine.Cases;

/// <summary>Random starts of attacks.</summary>
public sealed class AttackStartCases : AttackCases
{
    private static readonly RandomKey _key = new(42, Purpose.AttackStart, 3, 0, 2, 5);

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, BallSize size, bool every)
    {
        var (s, eps) = size;
        float radius = every ? eps : 128 / 255f, deviation = every ? eps : 0.1f;
        TestTensor x = Images(make, s), box = make.Plain(s), ball = make.Plain(s), noise = make.Plain(s);
        long[] samples = [.. Enumerable.Range(0, s.N).Select(i => 4_000_000_000L - 77 * i)];
        Array4 Draws(Func<PhiloxStream, int, double> draw) => Drawn(x.Values, samples, draw);
        yield return new("attack start linf", k => k.LinfStart(s.N, s.SampleCount, x, eps, _key, samples, box), new CaseResult(box, () =>
            ReferenceAttack.ClipBox(x.Values.Zip(Draws((stream, i) => stream.Symmetric(i)), (value, draw) => value + eps * draw))))
        {
            Covers = ["LinfStart"],
            Bytes = 2 * x.Bytes,
            Tolerance = Roundings,
            SameBits = true,
        };
        yield return new("attack start l2", k => k.L2Start(s.N, s.SampleCount, x, radius, _key, samples, ball), new CaseResult(ball, () =>
            ReferenceAttack.ProjectL2(x.Values, Draws((stream, i) => stream.Uniform(i)), radius)))
        {
            Covers = ["L2Start"],
            Bytes = 2 * x.Bytes,
            Tolerance = Roundings,
            SameBits = true,
        };
        yield return new("attack start gaussian", k => k.GaussianStart(s.N, s.SampleCount, x, deviation, _key, samples, noise),
            new CaseResult(noise, () =>
            x.Values.Zip(Draws((stream, i) => stream.Normal(i)), (value, draw) => value + deviation * draw)))
        {
            Covers = ["GaussianStart"],
            Bytes = 2 * x.Bytes,
            Tolerance = Roundings,
        };
    }

    private static Array4 Drawn(Array4 x, long[] samples, Func<PhiloxStream, int, double> draw)
    {
        Array4 drawn = x.Like();
        for (int n = 0; n < x.N; n++)
        {
            var stream = (_key with { Sample = samples[n] }).Stream();
            for (int i = 0; i < x.SampleLength; i++) drawn.Sample(n)[i] = draw(stream, i);
        }
        return drawn;
    }
}
