using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Rpat.Formats.Onnx;

namespace Rpat.Benchmarks;

/// <summary>ONNX Runtime's side of the comparison: the forward pass of the ONNX file that we export for the same network.</summary>
internal sealed class OnnxPeer : IPeer, IDisposable
{
    private readonly InferenceSession _session;
    private readonly List<NamedOnnxValue> _inputs;

    public OnnxPeer(PeerOptions options)
    {
        using var device = Device.Cpu(1);
        var net = Workload.Build(options.Model, device);
        string path = Path.GetTempFileName();
        try
        {
            OnnxFile.Write(path, net);
            _session = new InferenceSession(path, new SessionOptions { IntraOpNumThreads = options.Threads });
        }
        finally
        {
            File.Delete(path);
        }
        var shape = net.InputShape.WithBatch(options.Batch);
        var images = new DenseTensor<float>(Workload.Images(shape), [shape.N, shape.C, shape.H, shape.W]);
        _inputs = [NamedOnnxValue.CreateFromTensor(_session.InputNames[0], images)];
        RequireSameLogits(net, images);
    }

    /// <inheritdoc/>
    public string About => $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Action> Items => new Dictionary<string, Action> { ["eval-forward"] = () => Run() };

    public void Dispose() => _session.Dispose();

    private float[] Run()
    {
        using var results = _session.Run(_inputs);
        return results[0].AsTensor<float>().ToArray();
    }

    // The comparison means something only if both compute the same.
    private void RequireSameLogits(Classifier net, DenseTensor<float> images)
    {
        using var predictor = new Predictor(net);
        float[] ours = predictor.Logits(images.Buffer.Span), theirs = Run();
        float off = ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max(), largest = ours.Max(Math.Abs);
        if (!(off <= 1e-4f * largest))
            throw new ArgumentException($"ONNX Runtime's logits differ from ours by {off} of {largest}: the exported file is wrong.");
    }
}
