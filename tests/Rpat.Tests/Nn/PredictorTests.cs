using Rpat.Tests.Robust;

namespace Rpat.Tests.Nn;

public class PredictorTests
{
    [Fact]
    public void Logits_are_the_networks_whatever_the_batch()
    {
        using var device = Device.Cpu(2);
        var net = TestNets.Disturbed(device);
        float[] images = TestNets.Images(5, seed: 2);
        var tape = new Tape(device);
        Tensor logits = tape.Retain(net.Forward(tape, Tensor.From(device, TestNets.Image.WithBatch(5), images), BnMode.Eval));
        tape.Forward();
        float[] rows = logits.ToArray();
        using Predictor one = new(net, batch: 1), two = new(net, batch: 2), all = new(net);
        foreach (var predictor in new[] { one, two, all }) Assert.Equal(rows, predictor.Logits(images));
        Assert.Equal(rows[..10], all.Logits(images.AsSpan(0, 2 * TestNets.Image.SampleCount)));
        Assert.Equal(rows.Chunk(5).Select(row => Array.IndexOf(row, row.Max())), net.Predict(images));
        Assert.Empty(net.Predict([]));
        Assert.Contains("not a whole number of images", Assert.Throws<ShapeException>(() => net.Predict(new float[7])).Message);
    }

    [Fact]
    public void A_batch_has_an_image_and_a_disposed_predictor_no_answer()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Small(device);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Predictor(net, batch: 0));
        var predictor = new Predictor(net);
        predictor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => predictor.Classes(TestNets.Images(1, seed: 2)));
    }

    [Fact]
    public void Threads_that_predict_with_one_network_take_turns()
    {
        using var device = Device.Cpu(2);
        var net = TestNets.Disturbed(device);
        float[][] images = [.. Enumerable.Range(1, 4).Select(n => TestNets.Images(n, seed: n))];
        int[][] alone = [.. images.Select(some => net.Predict(some))];
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 4 },
            i => Assert.Equal(alone[i % 4], net.Predict(images[i % 4])));
    }

    [Fact]
    public void A_predictor_that_is_disposed_while_others_use_it_answers_or_refuses()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Disturbed(device);
        float[] images = TestNets.Images(2, seed: 3);
        int[] alone = net.Predict(images);
        for (int i = 0; i < 20; i++)
        {
            var shared = new Predictor(net, batch: 1);
            Parallel.Invoke([.. Enumerable.Repeat(Ask, 3), shared.Dispose]);

            void Ask()
            {
                try
                {
                    Assert.Equal(alone, shared.Classes(images));
                }
                catch (ObjectDisposedException)
                {
                    // it came too late
                }
            }
        }
    }

    [Fact]
    public void Values_given_to_a_parameter_are_seen_by_what_was_recorded_before()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Disturbed(device);
        float[] images = TestNets.Images(2, seed: 3);
        using Predictor kept = new(net);
        float[] before = kept.Logits(images);
        Parameter weight = net.Parameters.Parameters.First(p => p.Dimensions.Count == 4);
        weight.Upload([.. weight.ToArray().Select(v => -v)]);
        using Predictor fresh = new(net);
        Assert.NotEqual(before, kept.Logits(images));
        Assert.Equal(fresh.Logits(images), kept.Logits(images));
    }

    [Fact]
    public void A_network_takes_anothers_state_and_forgets_its_own()
    {
        using var device = Device.Cpu(1);
        var (net, other) = (TestNets.Small(device), TestNets.Disturbed(device));
        net.Load(other.State());
        float[] images = TestNets.Images(2, seed: 3);
        using Predictor a = new(net), b = new(other);
        Assert.Equal(b.Logits(images), a.Logits(images));
    }

    [Fact]
    public void A_state_of_floats_is_taken_with_its_counts()
    {
        using var device = Device.Cpu(1);
        var (net, other) = (TestNets.Small(device), TestNets.Disturbed(device));
        other.BatchNorms[0].BatchesTracked = 1234;
        net.Load(other.State().Select(array => NamedArray.FromFloats(array.Name, array.ToFloats(), array.Shape)));
        Assert.Equal(1234, net.BatchNorms[0].BatchesTracked);
        TestNets.SameBits([.. other.State()], [.. net.State()]);
    }

    [Fact]
    public void A_state_that_is_refused_changes_nothing()
    {
        using var device = Device.Cpu(1);
        var (net, other) = (TestNets.Small(device), TestNets.Disturbed(device));
        NamedArray[] before = [.. net.State()];
        string last = before.Last(array => array.Type == ElementType.F32).Name;
        var error = Assert.Throws<CheckpointException>(() => net.Load(other.State().Select(array => array.Name != last ? array
            : new NamedArray(array.Name, ElementType.C64, array.Shape, new byte[8 * array.Count]))));
        Assert.Contains($"'{last}' of type C64 does not hold real numbers", error.Message);
        TestNets.SameBits(before, [.. net.State()]);
    }
}
