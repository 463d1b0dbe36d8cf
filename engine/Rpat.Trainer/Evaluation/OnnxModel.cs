using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Rpat.Trainer.Evaluation;

/// <summary>A network in an .onnx file, run by ONNX Runtime, whose libraries are loaded when one is opened.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string _input, _output;
    private readonly Shape _image;
    private readonly int _most;

    private OnnxModel(string path, int threads, Shape image)
    {
        _session = new InferenceSession(path, new SessionOptions { IntraOpNumThreads = threads });
        var (input, output) = (_session.InputMetadata.FirstOrDefault(), _session.OutputMetadata.FirstOrDefault());
        (_input, _output, _image) = (input.Key, output.Key, image);
        int[] sizes = input.Value?.Dimensions ?? [], rows = output.Value?.Dimensions ?? [];
        bool fits = _session.InputMetadata.Count == 1 && input.Value!.ElementType == typeof(float) && sizes.Length == 4
            && sizes.Skip(1).Zip(new[] { image.C, image.H, image.W }).All(pair => pair.First <= 0 || pair.First == pair.Second);
        if (!fits || rows.Length != 2)
            throw new UsageException($"'{path}' takes [{string.Join(", ", sizes)}] and gives [{string.Join(", ", rows)}] where one input "
                + $"of float32 images [N, {image.C}, {image.H}, {image.W}] and logits [N, classes] are wanted: export it so, with pixels "
                + "in [0,1].");
        _most = sizes[0] > 0 ? sizes[0] : int.MaxValue;
        Classes = rows[1] > 0 ? rows[1] : Answers(new float[image.SampleCount], 1).Length;
    }

    public int Classes { get; }

    /// <summary>Opens a file for images of a size.</summary>
    /// <exception cref="UserException">It is missing, no network, or takes other images.</exception>
    public static OnnxModel Open(string path, int threads, Shape image)
    {
        if (!RegularFile.Exists(path)) throw new UsageException($"'{path}' is not there: give an .onnx file.");
        try
        {
            return new OnnxModel(path, threads, image);
        }
        catch (OnnxRuntimeException error)
        {
            string instead = Is(path) ? "export it again, and check it with onnx.checker" : $"'rpat eval {ShellWord.Quote(path)}' measures "
                + "checkpoints, 'rpat eval blackbox' files of ONNX";
            throw new UsageException($"'{path}' is no network that ONNX Runtime can run ({error.Message.Trim().TrimEnd('.')}): {instead}.",
                error);
        }
    }

    /// <summary>Whether a file is one, by its name.</summary>
    public static bool Is(string path) => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>The network on a device.</summary>
    public BlackBox On(Device device) => new(device, _image, Classes, Ask);

    /// <summary>Logits of images <c>[N, C, H, W]</c>, in passes of as many as the file allows.</summary>
    public float[] Ask(float[] images)
    {
        int count = images.Length / _image.SampleCount;
        return count <= _most ? Answers(images, count)
            : [.. images.Chunk(_most * _image.SampleCount).SelectMany(part => Answers(part, part.Length / _image.SampleCount))];
    }

    public void Dispose() => _session.Dispose();

    // A file with a fixed batch gets whole ones.
    private float[] Answers(float[] images, int count)
    {
        int rows = _most == int.MaxValue ? count : _most;
        if (rows != count) Array.Resize(ref images, rows * _image.SampleCount);
        var tensor = new DenseTensor<float>(images, [rows, _image.C, _image.H, _image.W]);
        using var results = _session.Run([NamedOnnxValue.CreateFromTensor(_input, tensor)], [_output]);
        float[] logits = results[0].AsTensor<float>().ToArray();
        return rows == count ? logits : logits[..(logits.Length / rows * count)];
    }
}
