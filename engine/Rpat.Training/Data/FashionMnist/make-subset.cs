#:project ../../../Rpat.Formats/Rpat.Formats.csproj
#:property PublishAot=false

using Rpat.Nn.Arrays;
using Rpat.Formats.Data;

// Makes the four files next to this one from the published IDX files; README.md here has the command.
if (args is not [string source, string target])
{
    Console.Error.WriteLine("usage: dotnet run make-subset.cs -- FOLDER-WITH-THE-FULL-SET TARGET-FOLDER");
    return 2;
}

Part("train", perClass: 600);
Part("t10k", perClass: 100);
return 0;

void Part(string prefix, int perClass)
{
    NamedArray images = Read($"{prefix}-images-idx3-ubyte"), labels = Read($"{prefix}-labels-idx1-ubyte");
    string[] classes = [.. Enumerable.Range(0, 10).Select(label => $"{label}")];
    int height = (int)images.Shape[1], width = (int)images.Shape[2];
    var all = new LabeledImages(
        prefix, 1, height, width, images.Data.ToArray(), Array.ConvertAll(labels.ToInt64(), label => (int)label), classes);
    LabeledImages subset = all.Subset(all.FirstOfEachClass(perClass));
    Write(new NamedArray($"{prefix}-images-idx3-ubyte.gz", ElementType.U8, [subset.Count, height, width], subset.Pixels));
    byte[] subsetLabels = Array.ConvertAll(subset.Labels, label => (byte)label);
    Write(new NamedArray($"{prefix}-labels-idx1-ubyte.gz", ElementType.U8, [subset.Count], subsetLabels));
}

NamedArray Read(string name)
{
    string path = Path.Combine(source, name);
    return Idx.Read(File.Exists(path) ? path : path + ".gz");
}

void Write(NamedArray array) =>
    AtomicFile.Write(Path.Combine(target, array.Name), stream => Idx.Write(stream, array, pack: true));
